package io.agora.apps

import io.agora.IAgoraAPI.ICallBack
import io.agora.NativeAgoraAPI

/** Delegates to what it is given. */
class KotlinWrapper(inner: ICallBack) : ICallBack by inner

/** Delegates to what it keeps as a property. */
class KotlinKeeper(private val inner: ICallBack) : ICallBack by inner

/** Delegates to what others may read. */
open class KotlinOpenKeeper(val inner: ICallBack) : ICallBack by inner

/** Inherits that. */
class KotlinHeir(inner: ICallBack) : KotlinOpenKeeper(inner)

/** Delegates, and does some of it itself: in the form without an extra, and in the form with one. */
class KotlinFilter(private val told: Told, inner: ICallBack) : ICallBack by inner {
    override fun onLogout(ecode: Int) {
        told.add("filtered", ecode)
    }

    override fun onInviteReceived(channelID: String?, account: String?, uid: Int) {
        told.add("filtered", channelID, account, uid)
    }

    override fun onInviteEndByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        told.add("filtered", channelID, account, uid, extra)
    }
}

/** An anonymous object that delegates. */
fun kotlinObject(inner: ICallBack): ICallBack = object : ICallBack by inner {}

/** A screen that keeps itself out of what an inner object hears. */
class KotlinScreen(private val told: Told) : ICallBack {
    override fun onLogout(ecode: Int) {
        told.add("screen", ecode)
    }

    inner class Part {
        private val screen = this@KotlinScreen

        fun listener() = object : ICallBack {
            override fun onLog(txt: String?) {
                screen.onLog(txt)
                this@KotlinScreen.onLog(txt)
            }
        }
    }
}

/** Two that hold each other: there is nobody to delegate to. */
class KotlinCircle : ICallBack {
    private val other: ICallBack = Other(this)

    private class Other(private val first: ICallBack) : ICallBack
}

/** Keeps a handler, but has the library's class to say what it does not do itself. */
class KotlinChain(private val next: ICallBack) : NativeAgoraAPI.CallBack() {
    override fun onLogout(ecode: Int) {
        super.onLogout(ecode)
        next.onLogout(ecode)
    }
}

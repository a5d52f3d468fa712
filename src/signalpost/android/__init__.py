"""The client in the shape of the Android API 1.4.4, for threaded programs (SPEC S2).

api = AgoraAPIOnlySignal.getInstance(None, "demo")
api.callbackSet(MyCallBack())
api.login2("", "ada", "_no_need_token", 0, "", 30, 15)
"""

from signalpost.android.callbacks import ICallBack
from signalpost.android.constants import IAgoraAPI
from signalpost.android.signal import AgoraAPIOnlySignal

__all__ = ["AgoraAPIOnlySignal", "IAgoraAPI", "ICallBack"]

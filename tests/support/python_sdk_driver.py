"""Runs the discontinued Python SDK for a test: commands come as JSON lines, so does what it calls back.

It runs in the SDK's own environment, not in ours. The SDK asks a host on the Internet for addresses; that
one request is sent to the server under test instead. Nothing else of it is touched.
"""

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

import requests
from agorasigsdk import AgoraSignal, Call, Channel, LoginSession
from twisted.internet import reactor
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver

BASE, APP, ACCOUNT, TOKEN = sys.argv[1:]
_get = requests.get


def redirected(url, **options):
    """The SDK's question for addresses, asked of the server under test."""
    parts = urlsplit(url)
    return _get(f"{BASE}{parts.path}?{parts.query}", **options)


requests.get = redirected


def tell(event, *args):
    """One callback, as a line."""
    print(json.dumps([event, *args]), flush=True)


class OnLogin(LoginSession.LoginCallback):
    """What the session calls back."""

    def on_login_success(self, session, uid):
        tell("on_login_success", uid)

    def on_logout(self, session, err_code):
        tell("on_logout", err_code)

    def on_msg_instant_received(self, session, account, uid, msg):
        tell("on_msg_instant_received", account, uid, msg)

    def on_invite_received(self, session, call):
        house.calls[call.peer] = call
        call.set_callback(OnCall())
        tell("on_invite_received", call.channel, call.peer, call.extra)

    def on_error(self, session, err_code, reason):
        tell("on_error", err_code, reason)


class OnMessage(LoginSession.MessageCallback):
    """What a message calls back."""

    def on_msg_send_success(self, session):
        tell("on_msg_send_success")

    def on_msg_send_error(self, session, err_code):
        tell("on_msg_send_error", err_code)


class OnChannel(Channel.ChannelCallback):
    """What a channel calls back."""

    def on_channel_joined(self, session, channel):
        tell("on_channel_joined")

    def on_channel_join_failed(self, session, channel, err_code):
        tell("on_channel_join_failed", err_code)

    def on_channel_left(self, session, channel, err_code):
        tell("on_channel_left", err_code)

    def on_channel_user_joined(self, session, channel, account, uid):
        tell("on_channel_user_joined", account, uid)

    def on_channel_user_left(self, session, channel, account, uid):
        tell("on_channel_user_left", account, uid)

    def on_channel_user_list(self, session, channel, users, uids):
        tell("on_channel_user_list", users, uids)

    def on_channel_attr_updated(self, session, channel, name, value, type):
        tell("on_channel_attr_updated", name, value, type)

    def on_msg_channel_received(self, session, channel, account, uid, msg):
        tell("on_msg_channel_received", account, uid, msg)


class OnCall(Call.CallCallback):
    """What a call calls back."""

    def on_invite_received_by_peer(self, session, call):
        tell("on_invite_received_by_peer")

    def on_invite_accepted_by_peer(self, session, call, extra):
        tell("on_invite_accepted_by_peer", extra)

    def on_invite_refused_by_peer(self, session, call, extra):
        tell("on_invite_refused_by_peer", extra)

    def on_invite_failed(self, session, call, err_code):
        tell("on_invite_failed", err_code)

    def on_invite_end_by_peer(self, session, call, extra):
        tell("on_invite_end_by_peer", extra)

    def on_invite_end_by_myself(self, session, call, extra):
        tell("on_invite_end_by_myself", extra)

    def on_invite_msg(self, session, call, extra):
        tell("on_invite_msg", extra)


class House(LineReceiver):
    """The session, and the commands for it."""

    delimiter = b"\n"

    def __init__(self):
        self.session = None
        self.channel = None
        self.calls = {}

    def lineReceived(self, line):
        """Do what the test says; what the SDK raises is told as well."""
        command, *args = json.loads(line)
        try:
            getattr(self, command)(*args)
        except Exception as error:
            tell("raised", command, repr(error))

    def connectionLost(self, reason):
        """The test is over."""
        reactor.stop()

    def login(self):
        """Log in."""
        self.session = AgoraSignal(APP).login(ACCOUNT, TOKEN, OnLogin())

    def send(self, peer, text):
        """Send a message."""
        self.session.msg_instant_send(peer, text, OnMessage())

    def status(self, account):
        """Ask whether somebody is online."""
        self.session.query_user_status(account, lambda *result: tell("status", *map(str, result)))

    def join(self, name):
        """Join a channel."""
        self.channel = self.session.channel_join(name, OnChannel())

    def say(self, text):
        """Say something in the channel."""
        self.channel.msg_channel_send(text)

    def set_attr(self, name, value):
        """Set a channel attribute."""
        self.channel.channel_set_attr(name, value)

    def leave(self):
        """Leave the channel."""
        self.channel.channel_leave()

    def invite(self, channel, peer, extra):
        """Call somebody."""
        self.calls[peer] = self.session.channel_invite_user_2(channel, peer, extra, OnCall())

    def accept(self, peer):
        """Accept somebody's call."""
        self.calls[peer].accept()

    def refuse(self, peer):
        """Refuse somebody's call."""
        self.calls[peer].refuse()

    def end(self, peer):
        """End a call with somebody."""
        self.calls[peer].end()

    def logout(self):
        """Log out."""
        self.session.logout()


house = House()
StandardIO(house)
reactor.run()

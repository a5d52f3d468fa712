package io.signalpost.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.ArgumentException;
import io.signalpost.core.Codes;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Addresses of servers")
class AddressTest {
    @ParameterizedTest
    @CsvSource({
        "ws://127.0.0.1:8080/, ws://127.0.0.1:8080/",
        "ws://127.0.0.1:8080, ws://127.0.0.1:8080/",
        "http://localhost:1, ws://localhost:1/",
        "https://signal.example.com, wss://signal.example.com/",
        "WSS://signal.example.com/a/b?c=d, wss://signal.example.com/a/b?c=d",
        "HTTPS://Example.com?x, wss://Example.com/?x",
        "ws://[::1]:8080/, ws://[::1]:8080/",
        "ws://user:word@host:80/x, ws://user:word@host:80/x",
        "ws://host:65535, ws://host:65535/",
    })
    @DisplayName("all spellings become those of a WebSocket")
    void good(String given, String expected) {
        assertEquals(expected, Address.check(given));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                " ",
                "host",
                "host:80",
                "ftp://host/",
                "ws:/host",
                "ws://",
                "ws:///path",
                "ws://host:port/",
                "ws://host:0/",
                "ws://host:65536/",
                "ws://host/#part",
                "ws://ho st/",
                " ws://host/",
                "ws://host/\n",
                "ws://[::1/",
                "ws://[zz]/",
                "ws://a..b/",
                "javascript:alert(1)",
                "ws://host:123456/",
            })
    @DisplayName("what is none is refused with 1004 and what is allowed")
    void bad(String given) {
        ArgumentException error = assertThrows(ArgumentException.class, () -> Address.check(given));
        assertEquals(Codes.GENERAL_E_WRONG_PARAM, error.code);
        assertTrue(error.reason.contains("ws://HOST:PORT/ or wss://HOST:PORT/ is allowed"), error.reason);
    }
}

package io.signalpost;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Something that becomes known once, and that anybody may wait for, each with a future of his own.
 *
 * <p>Everything but {@code await} happens in the delivery.
 */
@NeedsAndroid24
final class Fact<T> {
    private final Delivery delivery;
    private List<Answer<T>> waiting = new ArrayList<>(); // while it is not known; else null
    private T value; // from then on, or
    private SignalpostException failure; // that

    Fact(Delivery delivery) {
        this.delivery = delivery;
    }

    /** A future for it; from any thread. */
    CompletableFuture<T> await() {
        Answer<T> answer = new Answer<>(delivery);
        delivery.put(() -> {
            if (waiting == null) complete(answer);
            else waiting.add(answer);
        });
        return answer;
    }

    /** It is known now; nothing if it was before. */
    void set(T value) {
        this.value = waiting == null ? this.value : value;
        settle();
    }

    /** It will never be known; nothing if it was before. */
    void fail(SignalpostException failure) {
        this.failure = waiting == null ? this.failure : failure;
        settle();
    }

    private void settle() {
        if (waiting == null) return;
        List<Answer<T>> told = waiting;
        waiting = null;
        for (Answer<T> answer : told) complete(answer);
    }

    private void complete(Answer<T> answer) {
        if (failure != null) answer.completeExceptionally(failure);
        else answer.complete(value);
    }
}

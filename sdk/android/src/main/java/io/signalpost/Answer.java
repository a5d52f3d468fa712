package io.signalpost;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A future of the client. It is completed in the delivery, and only there; who waits for it in there would wait for
 * himself, and is told so.
 */
@NeedsAndroid24
final class Answer<T> extends CompletableFuture<T> {
    private final Delivery delivery;

    Answer(Delivery delivery) {
        this.delivery = delivery;
    }

    /** From Java 9 on: what depends on this one is of the same kind. */
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new Answer<>(delivery);
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        checkWait();
        return super.get();
    }

    @Override
    public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        checkWait();
        return super.get(timeout, unit);
    }

    @Override
    public T join() {
        checkWait();
        return super.join();
    }

    private void checkWait() {
        if (!isDone() && delivery.isCurrent()) {
            throw new IllegalStateException(
                    "a callback waits for what only comes after it: use thenAccept and the like");
        }
    }
}

"""The asyncio API: what `signalpost.client` offers (SPEC S3)."""

"""How services talk: the codec, the feed, the outbox and its relay, requests and replies, over Redis Streams."""

"""The network: bytes and values (`wire`), secure connections and delivery (`connection`), sockets (`transport`)."""

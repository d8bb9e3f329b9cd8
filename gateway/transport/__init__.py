"""What aiortc lacks or does differently: the only place that reaches into its private parts.

Written against aiortc 1.16 and aioice 0.13. Nothing is patched in their modules: every change is
made on one connection's own objects, through `hidden`, which fails loudly when a name is gone.

| file | changes | because |
|---|---|---|
| `connection` | REMB estimate seeded, decoder never joined on the loop | browsers stay below 0.3 Mbit/s for half a minute otherwise; a join blocks all sessions |
| `backlog` | frames waiting for a decoder, and decoded ones, are bounded | both queues grow without end behind a slow consumer (5.8 s of lag after 10 s) |
| `candidates` | addresses may be chosen and include 127.0.0.1, socket buffers of 4 MiB | aioice skips loopback; its 256 KiB hold one and a half key frames |
| `encoders` | bit-rate limits are ours | VP8 stops at 1.5 Mbit/s |
"""  # noqa: E501  (a table)

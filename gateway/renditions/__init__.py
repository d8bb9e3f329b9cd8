"""Composites encoded once for everybody who watches a stream with the same needs.

    newest composite --> rendition VP8, 5 Mbit/s    --> viewer --> sender of one session
                     |                              +-> viewer --> sender of another
                     +-> rendition H.264, 2 Mbit/s  --> viewer --> sender of a third

A *rendition* is a stream's composite with one codec on one rung of the `ladder` of bit rates; a
*viewer* stands in the place of one sender's track and encoder. All renditions of a stream make the
`pool`, which seats its viewers: each on the highest rung that its line allows. Whoever sits alone
has an encoder that follows the line exactly; who sits with others shares one that follows the
slowest of their lines, which are at most a rung apart.

What is shared are composites, never a source. A viewer is given no frame that refers to one that it
did not get: it begins with a key frame and takes all that follow, in order.
"""

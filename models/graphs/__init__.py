"""A whole frame as one program: I420 in, composite I420 out, and the thumbnails that track a plate.

`frame` is the arithmetic, plain torch that runs anywhere; `programs` keeps one recorded program for
each size, operating point and number of frames; `runner` feeds them. On CUDA a program is a graph,
whose hundred and fifty kernels start at one command; on a processor the same code runs step by
step, which is how it is tested.
"""

"""The stages of `gpu_check.py`: each module has main(out), which writes its result into the folder `out` as it goes."""

"""The C++ core: a whole step of the network on a CPU, every part beside its plain torch twin."""

// The variants for Python.
#include <cstdint>

#include "isa.h"

#define BISE_API extern "C" __attribute__((visibility("default")))

BISE_API int64_t bise_best_isa() { return bise::best_isa(); }

BISE_API int64_t bise_use_isa(int64_t wanted) { return bise::use_isa(bise::Isa(wanted)); }

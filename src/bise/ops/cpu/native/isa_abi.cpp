// The variants for Python.
#include <cstdint>

#include "abi.h"
#include "isa.h"

BISE_API int64_t bise_best_isa() { return bise::best_isa(); }

BISE_API int64_t bise_isa() { return bise::isa(); }

BISE_API int64_t bise_use_isa(int64_t wanted) { return bise::use_isa(bise::Isa(wanted)); }

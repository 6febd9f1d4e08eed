// As isa_left_out.cpp, for attention.
#include "look.h"

#ifndef BISE_VARIANTS
#define BISE_VARIANTS 3
#endif

#if defined(__x86_64__)

namespace bise {

#if BISE_VARIANTS < 1
LookVariant look_avx2() { return look_portable(); }
#endif
#if BISE_VARIANTS < 2
LookVariant look_avx512() { return look_avx2(); }
#endif
#if BISE_VARIANTS < 3
LookVariant look_amx() { return look_avx512(); }
#endif

}  // namespace bise

#endif

#if defined(__AVX512F__)

#include "choose_core.h"

namespace bise {

ChooseKernels choose_avx512() { return CHOOSE_KERNELS; }

}  // namespace bise

#endif

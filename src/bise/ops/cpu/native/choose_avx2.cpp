#if defined(__AVX2__)

#include "choose_core.h"

namespace bise {

ChooseKernels choose_avx2() { return CHOOSE_KERNELS; }

}  // namespace bise

#endif

#include "choose_core.h"

namespace bise {

ChooseKernels choose_portable() { return CHOOSE_KERNELS; }

}  // namespace bise

#if defined(__AVX2__)

#include "rows_core.h"

namespace bise {

RowKernels rows_avx2() { return ROW_KERNELS; }

}  // namespace bise

#endif

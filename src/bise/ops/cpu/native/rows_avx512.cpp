#if defined(__AVX512F__)

#include "rows_core.h"

namespace bise {

RowKernels rows_avx512() { return ROW_KERNELS; }

}  // namespace bise

#endif

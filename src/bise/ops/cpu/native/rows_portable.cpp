#include "rows_core.h"

namespace bise {

RowKernels rows_portable() { return ROW_KERNELS; }

}  // namespace bise

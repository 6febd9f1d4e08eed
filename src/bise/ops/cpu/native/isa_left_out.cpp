// What stands in for variants that the compiler was too old to make, so that everything links.
// `best_isa` names none of them, and so nobody calls these.
#include "choose_kernels.h"
#include "matrix_kernels.h"
#include "pack_group.h"
#include "rows_kernels.h"

#ifndef BISE_VARIANTS
#define BISE_VARIANTS 3
#endif

#if defined(__x86_64__)

namespace bise {

#if BISE_VARIANTS < 1
const Kernels& kernels_avx2() { return kernels_portable(); }
const Packers& packers_avx2() { return packers_portable(); }
RowKernels rows_avx2() { return rows_portable(); }
ChooseKernels choose_avx2() { return choose_portable(); }
#endif

#if BISE_VARIANTS < 2
const Kernels& kernels_avx512() { return kernels_avx2(); }
const Packers& packers_avx512() { return packers_avx2(); }
RowKernels rows_avx512() { return rows_avx2(); }
ChooseKernels choose_avx512() { return choose_avx2(); }
#endif

#if BISE_VARIANTS < 3
const Kernels& kernels_amx() { return kernels_avx512(); }
#endif

}  // namespace bise

#endif

#if defined(__AVX2__)

#include "look_absorb.h"
#include "look_fp32.h"
#include "look_write.h"

namespace bise {

LookVariant look_avx2() {
    return {kernels_of<Fp32>(), kernels_of<Fp32>(), kernels_of<Fp32>(), write_part};
}

}  // namespace bise

#endif

#if defined(__AVX512F__)

#include "look_absorb.h"
#include "look_bf16.h"
#include "look_fp32.h"
#include "look_write.h"

namespace bise {

LookVariant look_avx512() {
    using Dots = Bf16<DotProducts>;
    return {kernels_of<Fp32>(), kernels_of<Dots>(), kernels_of<Dots>(), write_part};
}

}  // namespace bise

#endif

#include "look_absorb.h"
#include "look_fp32.h"
#include "look_write.h"

namespace bise {

LookVariant look_portable() {
    return {kernels_of<Fp32>(), kernels_of<Fp32>(), kernels_of<Fp32>(), write_part};
}

}  // namespace bise

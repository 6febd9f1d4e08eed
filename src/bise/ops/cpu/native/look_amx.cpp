#if defined(__x86_64__)

#include "look_absorb.h"
#include "look_bf16.h"
#include "look_fp32.h"
#include "look_tiles.h"
#include "look_write.h"

namespace bise {

LookVariant look_amx() {
    return {kernels_of<Fp32>(), kernels_of<Bf16<TileProducts>>(), write_part};
}

}  // namespace bise

#endif

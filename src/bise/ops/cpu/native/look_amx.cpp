#if defined(__x86_64__)

#include "look_absorb.h"
#include "look_bf16.h"
#include "look_bytes.h"
#include "look_fp32.h"
#include "look_tiles.h"
#include "look_write.h"

namespace bise {

LookVariant look_amx() {
    using Tiles = Bf16<TileProducts>;
    return {kernels_of<Fp32>(), kernels_of<Tiles>(), kernels_of<Tiles, ByteBlock>(), write_part};
}

}  // namespace bise

#endif

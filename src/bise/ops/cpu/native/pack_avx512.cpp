#if defined(__AVX512F__)

#include "pack_group.h"

namespace bise {

const Packers& packers_avx512() {
    static const Packers table = {pack_bf16, pack_int8, pack_int4};
    return table;
}

}  // namespace bise

#endif

// Choosing as Python calls it.
#include "abi.h"
#include "choose.h"

using namespace bise;

BISE_API int bise_choose(float* logits, int64_t stride, int64_t rows, int64_t vocab,
                         const Manner* manners, int64_t never, int64_t* ids) {
    return guarded([&] { choose(logits, stride, rows, vocab, manners, never, ids); });
}

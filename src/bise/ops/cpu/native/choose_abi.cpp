// Choosing as Python calls it.
#include "choose.h"

#define BISE_API extern "C" __attribute__((visibility("default")))

BISE_API void bise_choose(float* logits, int64_t stride, int64_t rows, int64_t vocab,
                          const bise::Manner* manners, int64_t never, int64_t* ids) {
    bise::choose(logits, stride, rows, vocab, manners, never, ids);
}

// Choosing the next token of many requests at once, from logits to ids.
#pragma once

#include <cstdint>

namespace bise {

// How one request chooses.
struct Manner {
    float temperature;  // 0 takes the likeliest
    float min_p;        // drop what is less likely than this share of the likeliest; 0 is off
    int64_t top_k;      // then all but so many; 0 is off
    float top_p;        // then what the likelier ones of so large a share leave over; 1 is off
    double point;       // in [0, 1): where in the running sum of what is left the token lies
};

// ids [rows] of logits [rows, vocab] in fp32, rows at a stride. Of equal logits the lower id is the
// likelier. A row in which nothing can be said gives id 0. never: an id that no row may take, whose
// logits are written over; -1 is none
void choose(float* logits, int64_t stride, int64_t rows, int64_t vocab, const Manner* manners,
            int64_t never, int64_t* ids);

}  // namespace bise

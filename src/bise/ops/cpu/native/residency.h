// Experts of a mapped file that is larger than the memory it may take: which ones are there.
#pragma once

#include <cstdint>
#include <memory>

#include "matrix.h"

namespace bise {

struct ResidencyCounts {
    int64_t asked, found;  // times an expert was needed, and was there already
    int64_t guessed_right; // of those found, how many only because they had been expected
    int64_t read_bytes, resident_bytes;
};

// Keeps experts in memory up to a budget, the ones used longest ago leaving first. It only advises
// the system: an expert that is not there is read when it is touched, slowly, and never missed.
class Residency {
   public:
    // file: of the mapping, which begins at `mapped`; -1: memory that is no file's
    Residency(int64_t budget_bytes, int64_t num_layers, int64_t num_experts, int file,
              const uint8_t* mapped);
    ~Residency();

    void describe(int64_t layer, int64_t expert, const Gated& weights);

    // These experts are about to be used: begin to read what is not there, all at once.
    void need(int64_t layer, const int32_t* experts, int64_t count);

    // These may be: read them as well, but count them only when they are.
    void expect(int64_t layer, const int32_t* experts, int64_t count);

    ResidencyCounts counts() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace bise

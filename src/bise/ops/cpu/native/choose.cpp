// A row is looked at in blocks. Their largest numbers and the sums of their chances tell where the
// token lies, so that only one block is looked at closely.
#include "choose.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "choose_kernels.h"
#include "isa.h"
#include "pool.h"

namespace bise {

namespace {

constexpr float NOTHING = -std::numeric_limits<float>::infinity();  // a token nobody may say
constexpr float STEEPEST = 1e30f;  // a colder choice takes the likeliest all the same
constexpr float LOG2_E = 1.44269504f;

ChooseKernels kernels() {
    switch (isa()) {
#if defined(__x86_64__)
        case AMX:
        case AVX512: return choose_avx512();
        case AVX2: return choose_avx2();
#endif
        default: return choose_portable();
    }
}

// The least likely token that stays: what is likelier stays too, and equals of a lower id.
struct Last {
    float logit = NOTHING;
    int64_t id = std::numeric_limits<int64_t>::max();
};

struct Candidate {
    float logit, chance;
    int64_t id;

    bool operator<(const Candidate& other) const {
        return logit > other.logit || (logit == other.logit && id < other.id);
    }
};

// How many chances lie in each bin, and their sum.
struct Bins {
    int64_t counts[CHOICE_BINS] = {};
    double masses[CHOICE_BINS] = {};
};

class Row {
   public:
    Row(const ChooseKernels& kernels, const float* logits, int64_t vocab, int worker)
        : kernels_(kernels),
          logits_(logits),
          vocab_(vocab),
          blocks_((vocab + CHOICE_BLOCK - 1) / CHOICE_BLOCK),
          worker_(worker),
          tops_(static_cast<float*>(scratch(worker, 8, 2 * blocks_ * int64_t(sizeof(float))))),
          sums_(tops_ + blocks_) {
        for (int64_t block = 0; block < blocks_; ++block)
            tops_[block] = kernels_.largest(start(block), count(block));
        const float* best = std::max_element(tops_, tops_ + blocks_);
        best_block_ = best - tops_;
        curve_.top = *best;
    }

    int64_t choose(const Manner& manner) {
        if (manner.temperature <= 0 || !(curve_.top > NOTHING)) return likeliest();
        curve_.steepness = std::min(LOG2_E / manner.temperature, STEEPEST);
        Last last;
        if (manner.min_p > 0)
            last.logit = curve_.top + std::log2(manner.min_p) / curve_.steepness;
        if ((manner.top_k > 0 && manner.top_k < vocab_) || manner.top_p < 1)
            last = cut(manner, last);
        return draw(last, manner.point);
    }

   private:
    const float* start(int64_t block) const { return logits_ + block * CHOICE_BLOCK; }
    int64_t count(int64_t block) const {
        return std::min(CHOICE_BLOCK, vocab_ - block * CHOICE_BLOCK);
    }

    int64_t likeliest() const {
        const float* from = start(best_block_);
        const int64_t within = std::find(from, from + count(best_block_), curve_.top) - from;
        return within < count(best_block_) ? best_block_ * CHOICE_BLOCK + within : 0;
    }

    // Chances of a block, and their sum; equals of the last one count up to its id.
    float weigh(int64_t block, Last last, float* chances) const {
        const float* from = start(block);
        const int64_t size = count(block);
        const float above = std::nextafter(last.logit, -NOTHING);  // the next larger number
        const int64_t equals = std::clamp<int64_t>(last.id - block * CHOICE_BLOCK, -1, size - 1) + 1;
        float sum = 0;
        if (equals > 0) sum += kernels_.weigh(from, equals, curve_, last.logit, chances);
        if (equals < size)
            sum += kernels_.weigh(from + equals, size - equals, curve_, above, chances + equals);
        return sum;
    }

    int64_t draw(Last last, double point) {
        float chances[CHOICE_BLOCK];
        double whole = 0;
        for (int64_t block = 0; block < blocks_; ++block) {
            sums_[block] = tops_[block] < last.logit ? 0 : weigh(block, last, chances);
            whole += sums_[block];
        }
        if (!(whole > 0)) return likeliest();
        const double target = point * whole;
        double before = 0;
        const int64_t block = find(sums_, blocks_, target, before);
        weigh(block, last, chances);
        return block * CHOICE_BLOCK + find(chances, count(block), target, before);
    }

    // The first place at which the running sum exceeds the target, else the last that adds to it;
    // `before` is the running sum so far, and then that before the place.
    static int64_t find(const float* sums, int64_t count, double target, double& before) {
        int64_t found = 0;
        double sum = before;
        for (int64_t i = 0; i < count; ++i) {
            if (!(sums[i] > 0)) continue;
            found = i;
            before = sum;
            sum += sums[i];
            if (sum > target) break;
        }
        return found;
    }

    Last cut(const Manner& manner, const Last floor) {
        Bins bins;
        fill(bins, floor);
        Last last = floor;
        double whole = 0;
        const int64_t most = manner.top_k > 0 ? manner.top_k : vocab_;
        keep(bins, floor, [&](int64_t number, double) { return number < most; }, last, whole);
        const double target = manner.top_p * whole;
        if (manner.top_p < 1)
            keep(bins, floor, [&](int64_t, double mass) { return mass < target; }, last, whole);
        return last;
    }

    void fill(Bins& bins, Last floor) const {
        float chances[CHOICE_BLOCK];
        int32_t places[CHOICE_BLOCK];
        for (int64_t block = 0; block < blocks_; ++block) {
            if (tops_[block] < floor.logit) continue;
            weigh(block, floor, chances);
            kernels_.sort_out(start(block), count(block), curve_, places);
            for (int64_t i = 0; i < count(block); ++i) {
                if (!(chances[i] > 0)) continue;
                ++bins.counts[places[i]];
                bins.masses[places[i]] += chances[i];
            }
        }
    }

    // Go down from the likeliest, which stays, while `stays(how many are likelier, their mass)`;
    // `last` is then the last that stayed, and `mass` theirs.
    template <class F>
    void keep(const Bins& bins, Last floor, F stays, Last& last, double& mass) {
        int64_t number = 0;
        mass = 0;
        for (int bin = 0; bin < CHOICE_BINS; ++bin) {
            const int64_t count = bins.counts[bin];
            if (!count) continue;
            if (stays(number + count - 1, mass + bins.masses[bin])) {
                number += count;
                mass += bins.masses[bin];
                continue;
            }
            const Candidate* members = gather(bin, count, floor);
            for (int64_t i = 0; i < count; ++i, ++number) {
                if (number && !stays(number, mass)) {
                    last = {members[i].logit, members[i].id - 1};
                    return;
                }
                mass += members[i].chance;
            }
        }
    }

    // All of a bin, the likeliest first.
    const Candidate* gather(int bin, int64_t expected, Last floor) const {
        float chances[CHOICE_BLOCK];
        int32_t places[CHOICE_BLOCK];
        auto* members = static_cast<Candidate*>(
            scratch(worker_, 9, expected * static_cast<int64_t>(sizeof(Candidate))));
        int64_t found = 0;
        for (int64_t block = 0; block < blocks_; ++block) {
            int32_t nearest;
            kernels_.sort_out(tops_ + block, 1, curve_, &nearest);
            if (tops_[block] < floor.logit || nearest > bin) continue;
            weigh(block, floor, chances);
            kernels_.sort_out(start(block), count(block), curve_, places);
            for (int64_t i = 0; i < count(block); ++i)
                if (places[i] == bin && chances[i] > 0 && found < expected)
                    members[found++] = {start(block)[i], chances[i], block * CHOICE_BLOCK + i};
        }
        std::sort(members, members + found);
        return members;
    }

    const ChooseKernels& kernels_;
    const float* logits_;
    int64_t vocab_, blocks_;
    int worker_;
    float *tops_, *sums_;
    int64_t best_block_;
    Curve curve_;
};

}  // namespace

void choose(float* logits, int64_t stride, int64_t rows, int64_t vocab, const Manner* manners,
            int64_t never, int64_t* ids) {
    const ChooseKernels variant = kernels();
    parallel(rows, [&](int64_t row, int worker) {
        float* from = logits + row * stride;
        if (never >= 0) from[never] = NOTHING;
        ids[row] = Row(variant, from, vocab, worker).choose(manners[row]);
    });
}

}  // namespace bise

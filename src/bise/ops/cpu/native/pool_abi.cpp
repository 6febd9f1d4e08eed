// The pool as Python calls it.
#include "pool.h"

#define BISE_EXPORT extern "C" __attribute__((visibility("default")))

BISE_EXPORT int64_t bise_num_workers() { return bise::num_workers(); }

BISE_EXPORT void bise_set_workers(int64_t count) { bise::set_workers(static_cast<int>(count)); }

// Count every index at its place, `repeats` times over, by at most so many workers: for tests, and
// to time a dispatch.
BISE_EXPORT void bise_count_tasks(int64_t most, int64_t repeats, int64_t count, int64_t* hits) {
    const bise::AtMost workers(most);
    for (int64_t i = 0; i < repeats; ++i)
        bise::parallel(count, [hits](int64_t index, int) { ++hits[index]; });
}

// Keep `count` tasks busy for so many rounds of arithmetic each, `repeats` times over.
BISE_EXPORT double bise_busy_tasks(int64_t repeats, int64_t count, int64_t rounds) {
    volatile double kept = 0;
    for (int64_t i = 0; i < repeats; ++i)
        bise::parallel(count, [&](int64_t, int) {
            double x = 1;
            for (int64_t round = 0; round < rounds; ++round) x = x * 1.0000001 + 1e-9;
            if (x < 0) kept = x;
        });
    return kept;
}

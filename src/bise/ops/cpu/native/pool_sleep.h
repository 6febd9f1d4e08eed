// Sleeping until a word changes: a futex on Linux, a condition variable elsewhere.
#pragma once

#include <atomic>
#include <cstdint>

namespace bise {

// Sleep unless the word is no longer what was seen; may return early, for no reason.
void sleep_while(std::atomic<uint32_t>& word, uint32_t seen);

// Wake up to so many of those who sleep on a word.
void wake_sleepers(std::atomic<uint32_t>& word, int count);

// Have this called in every child of a fork: the parent's threads do not exist there.
void forget_pool_in_children(void (*forget)());

}  // namespace bise

// Gaps between pieces of one block of memory, where AddressSanitizer watches; nothing in a build
// without it.
#pragma once

#include <cstdint>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BISE_WATCHED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define BISE_WATCHED 1
#endif

#if defined(BISE_WATCHED)
#include <sanitizer/asan_interface.h>
#endif

namespace bise {
namespace {

#if defined(BISE_WATCHED)
constexpr bool IS_WATCHED = true;
inline void close_gap(const void* from, int64_t bytes) { ASAN_POISON_MEMORY_REGION(from, bytes); }
inline void open_all(const void* from, int64_t bytes) { ASAN_UNPOISON_MEMORY_REGION(from, bytes); }
#else
constexpr bool IS_WATCHED = false;
inline void close_gap(const void*, int64_t) {}
inline void open_all(const void*, int64_t) {}
#endif

constexpr int64_t GAP = IS_WATCHED ? 64 : 0;  // bytes behind every piece

}  // namespace
}  // namespace bise

#include "isa.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

#ifndef BISE_VARIANTS  // how many there are besides the portable one; see setup.py
#define BISE_VARIANTS 3
#endif

namespace bise {

namespace {

constexpr const char* NAMES[] = {"portable", "avx2", "avx512", "amx"};

#if defined(__x86_64__)

struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers ask(unsigned leaf, unsigned subleaf) {
    Registers got;
    if (!__get_cpuid_count(leaf, subleaf, &got.a, &got.b, &got.c, &got.d)) return {};
    return got;
}

bool has(unsigned word, int bit) { return word >> bit & 1u; }

// Which register files the system saves when it changes between programs.
unsigned saved_by_system() {
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

// Tile registers are large, so Linux gives them only to those who ask; of other systems we do not
// know.
bool may_use_tiles() {
#if defined(__linux__)
    constexpr int ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
#else
    return false;
#endif
}

Isa find_best() {
    const Registers basic = ask(1, 0), more = ask(7, 0), newer = ask(7, 1);
    if (!has(basic.c, 27)) return PORTABLE;  // no xgetbv: the system saves no wide registers
    const unsigned saved = saved_by_system();
    const bool avx2 = (saved & 0x6) == 0x6 && has(more.b, 5) && has(basic.c, 12) && has(basic.c, 29);
    if (!avx2) return PORTABLE;
    const bool wide = has(more.b, 16) && has(more.b, 17) && has(more.b, 30) && has(more.b, 31);
    const bool dots = has(more.c, 11) && has(newer.a, 5);
    if ((saved & 0xe0) != 0xe0 || !wide || !dots) return AVX2;
    const bool tiles = has(more.d, 22) && has(more.d, 24) && has(more.d, 25);
    const bool kept = (saved & 0x60000) == 0x60000;
    return tiles && kept && may_use_tiles() ? AMX : AVX512;
}

#else

Isa find_best() { return PORTABLE; }

#endif

Isa find_wanted() {
    const char* name = std::getenv("BISE_ISA");
    for (int one = PORTABLE; name && one <= best_isa(); ++one)
        if (!std::strcmp(name, NAMES[one])) return static_cast<Isa>(one);
    return best_isa();
}

std::atomic<Isa>& current() {
    static std::atomic<Isa> one{find_wanted()};
    return one;
}

}  // namespace

Isa best_isa() {
    static const Isa best = std::min(find_best(), Isa(BISE_VARIANTS));
    return best;
}

Isa isa() { return current().load(std::memory_order_relaxed); }

bool use_isa(Isa wanted) {
    if (wanted < PORTABLE || wanted > best_isa()) return false;
    current() = wanted;
    return true;
}

const char* isa_name(Isa one) { return NAMES[one]; }

}  // namespace bise

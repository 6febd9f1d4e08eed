// What this processor can do, and which compiled variant of every kernel is used on it.
#pragma once

namespace bise {

enum Isa { PORTABLE = 0, AVX2 = 1, AVX512 = 2, AMX = 3 };

// The best variant that this processor and this system allow, and that the compiler of this library
// could make: AVX512 means F, BW, VL, DQ, VNNI and BF16, AMX the tiles for int8 and bf16 on top of
// it, with the kernel's leave to use them.
Isa best_isa();

// The variant in use: the best one, unless `use_isa` or the variable BISE_ISA asked for a lesser.
Isa isa();

// Ask for a variant; false, and no change, when this processor does not have it.
bool use_isa(Isa wanted);

const char* isa_name(Isa one);

}  // namespace bise

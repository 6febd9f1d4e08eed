def mk : IO Nat := pure 7
@[init mk] opaque seed : Nat
def half (n : Nat) : Nat := n / 2 + (seed - seed)
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega

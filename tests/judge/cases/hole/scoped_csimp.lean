@[expose] public section
def slow (n : Nat) : Nat := n / 2
def fast (n : Nat) : Nat := n / 2
namespace N
@[scoped csimp] theorem eq : @slow = @fast := rfl
end N
end
def half (n : Nat) : Nat := slow n
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half slow; omega

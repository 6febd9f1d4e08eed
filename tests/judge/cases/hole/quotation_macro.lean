local notation "half_of " n => n / 2
def half (n : Nat) : Nat := half_of n
macro "solve_it" : tactic => `(tactic| (unfold half; omega))
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by solve_it
#eval half 10
#guard half 4 == 2

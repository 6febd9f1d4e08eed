def half (n : Nat) : Nat := n / 2
def slow (n : Nat) : Nat := n + 1
def fast (n : Nat) : Nat := 1 + n
@[implemented_by fast] def other (n : Nat) : Nat := slow n
theorem slow_fast : @slow = @fast := by funext n; exact Nat.add_comm n 1
partial def loop (n : Nat) : Nat := loop (half n)
unsafe def uns (n : Nat) : Nat := half n
noncomputable def nc : Nat := half (Classical.choice ⟨3⟩)
def main : IO Unit := IO.println s!"{half 7}"
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega

def double : (n : Nat) → Nat := fun n => n + n

theorem double_even : ∀ n : Nat, double n % 2 = 0 := by intro n; unfold double; omega

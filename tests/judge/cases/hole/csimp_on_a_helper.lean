@[expose] public section

def helper (n : Nat) : Nat := n / 2

def other (n : Nat) : Nat := if n = 1000 then 500 else n / 2

@[csimp] theorem helper_eq_other : @helper = @other := by
  funext n
  unfold helper other
  split <;> omega

end

def half (n : Nat) : Nat := helper n

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half helper
  omega

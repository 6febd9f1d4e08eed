namespace FastPow

def go (a n acc : Nat) : Nat :=
  if h : n = 0 then acc
  else if n % 2 = 0 then go (a * a) (n / 2) acc
  else go (a * a) (n / 2) (acc * a)
termination_by n
decreasing_by all_goals omega

def fastPow (a n : Nat) : Nat := go a n 1

theorem go_correct (a n acc : Nat) : go a n acc = acc * a ^ n := by
  induction n using Nat.strongRecOn generalizing a acc with
  | ind n ih =>
    by_cases h : n = 0
    · subst h
      simp [go]
    · have hsq : a ^ n = (a * a) ^ (n / 2) * a ^ (n % 2) := by
        have h2 : a * a = a ^ 2 := by rw [Nat.pow_two]
        rw [h2, ← Nat.pow_mul, ← Nat.pow_add, Nat.div_add_mod]
      by_cases he : n % 2 = 0
      · rw [go, dif_neg h, if_pos he, ih (n / 2) (by omega), hsq, he, Nat.pow_zero, Nat.mul_one]
      · have ho : n % 2 = 1 := by omega
        rw [go, dif_neg h, if_neg he, ih (n / 2) (by omega), hsq, ho, Nat.pow_one, Nat.mul_assoc,
          Nat.mul_comm a ((a * a) ^ (n / 2))]

theorem fastPow_correct (a n : Nat) : fastPow a n = a ^ n := by
  rw [fastPow, go_correct, Nat.one_mul]

end FastPow

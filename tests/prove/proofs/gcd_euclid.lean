namespace Euclid

def gcd (a b : Nat) : Nat :=
  if h : b = 0 then a else gcd b (a % b)
termination_by b
decreasing_by exact Nat.mod_lt _ (Nat.pos_of_ne_zero h)

theorem gcd_zero (a : Nat) : gcd a 0 = a := by
  rw [gcd, dif_pos rfl]

theorem gcd_step (a b : Nat) (h : b ≠ 0) : gcd a b = gcd b (a % b) := by
  rw [gcd, dif_neg h]

theorem gcd_dvd (a b : Nat) : gcd a b ∣ a ∧ gcd a b ∣ b := by
  induction b using Nat.strongRecOn generalizing a with
  | ind b ih =>
    by_cases h : b = 0
    · subst h
      rw [gcd_zero]
      exact ⟨Nat.dvd_refl a, Nat.dvd_zero a⟩
    · obtain ⟨h1, h2⟩ := ih (a % b) (Nat.mod_lt _ (Nat.pos_of_ne_zero h)) b
      rw [gcd_step a b h]
      exact ⟨(Nat.dvd_mod_iff h1).mp h2, h1⟩

theorem gcd_dvd_left (a b : Nat) : gcd a b ∣ a := (gcd_dvd a b).1

theorem gcd_dvd_right (a b : Nat) : gcd a b ∣ b := (gcd_dvd a b).2

theorem gcd_greatest (a b d : Nat) (ha : d ∣ a) (hb : d ∣ b) : d ∣ gcd a b := by
  induction b using Nat.strongRecOn generalizing a with
  | ind b ih =>
    by_cases h : b = 0
    · subst h
      rwa [gcd_zero]
    · rw [gcd_step a b h]
      exact ih (a % b) (Nat.mod_lt _ (Nat.pos_of_ne_zero h)) b hb ((Nat.dvd_mod_iff hb).mpr ha)

end Euclid

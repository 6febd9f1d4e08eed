namespace Bits

def toBits (n : Nat) : List Bool :=
  if h : n = 0 then [] else (n % 2 == 1) :: toBits (n / 2)
termination_by n
decreasing_by omega

def ofBits : List Bool → Nat
  | [] => 0
  | b :: bs => (if b then 1 else 0) + 2 * ofBits bs

theorem ofBits_toBits (n : Nat) : ofBits (toBits n) = n := by
  induction n using Nat.strongRecOn with
  | ind n ih =>
    by_cases h : n = 0
    · subst h
      simp [toBits, ofBits]
    · rw [toBits, dif_neg h, ofBits, ih (n / 2) (by omega)]
      by_cases hm : n % 2 = 1
      · rw [if_pos (by simp [hm])]
        omega
      · rw [if_neg (by simp [hm])]
        omega

end Bits

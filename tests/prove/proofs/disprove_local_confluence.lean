namespace LocalConfluence

inductive Star (R : Nat → Nat → Prop) : Nat → Nat → Prop where
  | refl (x) : Star R x x
  | step {x y z} : R x y → Star R y z → Star R x z

def Joinable (R : Nat → Nat → Prop) (x y : Nat) : Prop := ∃ z, Star R x z ∧ Star R y z

/-- Two places that lead to each other, and each to an end of its own. -/
inductive Fork : Nat → Nat → Prop where
  | out0 : Fork 1 0
  | over : Fork 1 2
  | back : Fork 2 1
  | out3 : Fork 2 3

theorem stays {x y : Nat} (end' : ∀ z, ¬ Fork x z) (h : Star Fork x y) : y = x := by
  cases h with
  | refl => rfl
  | step h _ => exact absurd h (end' _)

theorem one_to_zero : Star Fork 1 0 := .step .out0 (.refl 0)
theorem two_to_zero : Star Fork 2 0 := .step .back one_to_zero
theorem two_to_three : Star Fork 2 3 := .step .out3 (.refl 3)
theorem one_to_three : Star Fork 1 3 := .step .over two_to_three

theorem fork_local (x y z : Nat) (hy : Fork x y) (hz : Fork x z) : Joinable Fork y z := by
  cases hy <;> cases hz
  · exact ⟨0, .refl 0, .refl 0⟩
  · exact ⟨0, .refl 0, two_to_zero⟩
  · exact ⟨0, two_to_zero, .refl 0⟩
  · exact ⟨0, two_to_zero, two_to_zero⟩
  · exact ⟨0, one_to_zero, one_to_zero⟩
  · exact ⟨3, one_to_three, .refl 3⟩
  · exact ⟨3, .refl 3, one_to_three⟩
  · exact ⟨3, .refl 3, .refl 3⟩

theorem not_confluent : ¬ ∀ (R : Nat → Nat → Prop)
    (local' : ∀ x y z, R x y → R x z → Joinable R y z)
    (x y z : Nat) (hy : Star R x y) (hz : Star R x z), Joinable R y z := by
  intro h
  obtain ⟨w, h0, h3⟩ := h Fork fork_local 1 0 3 one_to_zero one_to_three
  have e0 := stays (fun z => by intro f; cases f) h0
  have e3 := stays (fun z => by intro f; cases f) h3
  omega

end LocalConfluence

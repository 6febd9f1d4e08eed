namespace LocalConfluence

inductive Star (R : Nat → Nat → Prop) : Nat → Nat → Prop where
  | refl (x) : Star R x x
  | step {x y z} : R x y → Star R y z → Star R x z

def Joinable (R : Nat → Nat → Prop) (x y : Nat) : Prop := ∃ z, Star R x z ∧ Star R y z

theorem confluent (R : Nat → Nat → Prop) (local' : ∀ x y z, R x y → R x z → Joinable R y z)
    (x y z : Nat) (hy : Star R x y) (hz : Star R x z) : Joinable R y z := sorry

end LocalConfluence

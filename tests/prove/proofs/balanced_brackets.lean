namespace Brackets

inductive B where
  | op : B
  | cl : B

inductive Bal : List B → Prop where
  | nil : Bal []
  | wrap {s} : Bal s → Bal (.op :: s ++ [.cl])
  | cat {s t} : Bal s → Bal t → Bal (s ++ t)

def check : Nat → List B → Bool
  | n, [] => n == 0
  | n, .op :: s => check (n + 1) s
  | 0, .cl :: _ => false
  | n + 1, .cl :: s => check n s

theorem check_append {s : List B} (h : Bal s) (n : Nat) (t : List B) :
    check n (s ++ t) = check n t := by
  induction h generalizing n t with
  | nil => rfl
  | wrap _ ih => simp [check, ih]
  | cat _ _ ih1 ih2 => rw [List.append_assoc, ih1, ih2]

theorem check_of_bal {s : List B} (h : Bal s) : check 0 s = true := by
  have e := check_append h 0 []
  rw [List.append_nil] at e
  rw [e]
  rfl

end Brackets

inductive Shape where
  | circle (r : Nat)
  | square (a : Nat)
  | point
  deriving DecidableEq

structure Box where
  shape : Shape
  weight : Nat

def area : Shape → Nat
  | .circle r => 3 * r * r
  | .square a => a * a
  | .point => 0

instance : Add Box := ⟨fun a b => ⟨a.shape, a.weight + b.weight⟩⟩

def total : List Box → Nat
  | [] => 0
  | b :: rest => b.weight + total rest

def isEmpty : List Box → Bool
  | [] => true
  | _ :: _ => false

theorem add_weight (a b : Box) : (a + b).weight = b.weight + a.weight :=
  Nat.add_comm a.weight b.weight

theorem total_append (xs ys : List Box) : total (xs ++ ys) = total xs + total ys := by
  induction xs with
  | nil => simp [total]
  | cons b rest ih => simp [total, ih, Nat.add_assoc]

theorem area_square (a : Nat) : area (.square a) = a * a := rfl

theorem total_empty (xs : List Box) (h : isEmpty xs = true) : total xs = 0 := by
  cases xs with
  | nil => rfl
  | cons b rest => simp [isEmpty] at h

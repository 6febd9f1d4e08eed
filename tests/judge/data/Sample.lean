module

/-! What a compiled file can hold: every kind of declaration, and all that changes how code runs. -/

@[expose] public section

universe u

inductive Tree (α : Type u) where
  | leaf : Tree α
  | node (left : Tree α) (key : α) (right : Tree α) : Tree α

structure Point where
  x : Nat := 0
  y : Nat

mutual
inductive Even : Nat → Prop
  | zero : Even 0
  | step : Odd n → Even (n + 1)
inductive Odd : Nat → Prop
  | step : Even n → Odd (n + 1)
end

inductive Rose where
  | mk : List Rose → Rose

def Tree.size {α : Type u} : Tree α → Nat
  | .leaf => 0
  | .node left _ right => left.size + 1 + right.size

def double (n : Nat) : Nat := n + n

def twice (n : Nat) : Nat := 2 * n

@[csimp] theorem double_eq_twice : @double = @twice := by
  funext n; simp only [double, twice]; omega

@[implemented_by twice] def slow (n : Nat) : Nat := n + n

@[extern "some_symbol"] opaque foreign (n : Nat) : Nat

opaque hidden : Nat := 7

noncomputable def chosen : Nat := Classical.choice ⟨3⟩

unsafe def danger : Nat := unsafeCast 3

partial def forever (n : Nat) : Nat := forever (n + 1)

def half (n : Nat) : Nat := if h : n < 2 then 0 else 1 + half (n - 2)
termination_by n
decreasing_by omega

axiom trusted : 2 + 2 = 5

theorem rests_on_it : 2 + 2 = 5 := trusted

theorem has_gap (n : Nat) : n < n := sorry

theorem uses_gap : (3 : Nat) < 3 := has_gap 3

theorem double_pos (n : Nat) (h : 0 < n) : 0 < double n := by
  unfold double; omega

theorem em_again (p : Prop) : p ∨ ¬p := Classical.em p

theorem rec_lemma (n : Nat) : n + 0 = n := aux n
where
  aux (m : Nat) : m + 0 = m := rfl

theorem decided : (List.range 5).length = 5 := by decide

theorem large : 2 ^ 70 = 1180591620717411303424 := rfl

theorem letter : "hé\n".length = 3 := rfl

instance : Inhabited Point := ⟨⟨1, 2⟩⟩

private theorem secret : 1 + 1 = 2 := rfl

theorem open_secret : 1 + 1 = 2 := secret

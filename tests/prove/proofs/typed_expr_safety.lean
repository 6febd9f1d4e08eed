namespace TypedExpr

inductive Ty where
  | nat : Ty
  | bool : Ty

inductive Term where
  | num : Nat → Term
  | tru : Term
  | fls : Term
  | plus : Term → Term → Term
  | lt : Term → Term → Term
  | cond : Term → Term → Term → Term

inductive Value where
  | n : Nat → Value
  | b : Bool → Value

inductive HasType : Term → Ty → Prop where
  | num (k) : HasType (.num k) .nat
  | tru : HasType .tru .bool
  | fls : HasType .fls .bool
  | plus {s t} : HasType s .nat → HasType t .nat → HasType (.plus s t) .nat
  | lt {s t} : HasType s .nat → HasType t .nat → HasType (.lt s t) .bool
  | cond {c s t τ} :
      HasType c .bool → HasType s τ → HasType t τ → HasType (.cond c s t) τ

def eval : Term → Option Value
  | .num k => some (.n k)
  | .tru => some (.b true)
  | .fls => some (.b false)
  | .plus s t =>
    match eval s, eval t with
    | some (.n x), some (.n y) => some (.n (x + y))
    | _, _ => none
  | .lt s t =>
    match eval s, eval t with
    | some (.n x), some (.n y) => some (.b (decide (x < y)))
    | _, _ => none
  | .cond c s t =>
    match eval c with
    | some (.b true) => eval s
    | some (.b false) => eval t
    | _ => none

def ValueHasType : Value → Ty → Prop
  | .n _, .nat => True
  | .b _, .bool => True
  | _, _ => False

theorem type_safety {t : Term} {τ : Ty} (h : HasType t τ) :
    ∃ v, eval t = some v ∧ ValueHasType v τ := by
  induction h with
  | num k => exact ⟨.n k, rfl, trivial⟩
  | tru => exact ⟨.b true, rfl, trivial⟩
  | fls => exact ⟨.b false, rfl, trivial⟩
  | plus _ _ ih1 ih2 =>
    obtain ⟨v1, e1, t1⟩ := ih1
    obtain ⟨v2, e2, t2⟩ := ih2
    cases v1 with
    | b _ => exact False.elim t1
    | n x =>
      cases v2 with
      | b _ => exact False.elim t2
      | n y => exact ⟨.n (x + y), by simp [eval, e1, e2], trivial⟩
  | lt _ _ ih1 ih2 =>
    obtain ⟨v1, e1, t1⟩ := ih1
    obtain ⟨v2, e2, t2⟩ := ih2
    cases v1 with
    | b _ => exact False.elim t1
    | n x =>
      cases v2 with
      | b _ => exact False.elim t2
      | n y => exact ⟨.b (decide (x < y)), by simp [eval, e1, e2], trivial⟩
  | cond _ _ _ ihc ihs iht =>
    obtain ⟨vc, ec, tc⟩ := ihc
    obtain ⟨vs, es, ts⟩ := ihs
    obtain ⟨vt, et, tt⟩ := iht
    cases vc with
    | n _ => exact False.elim tc
    | b x =>
      cases x with
      | true => exact ⟨vs, by simp [eval, ec, es], ts⟩
      | false => exact ⟨vt, by simp [eval, ec, et], tt⟩

theorem type_unique {t : Term} {σ τ : Ty} (h1 : HasType t σ) (h2 : HasType t τ) : σ = τ := by
  induction h1 generalizing τ with
  | num k => cases h2; rfl
  | tru => cases h2; rfl
  | fls => cases h2; rfl
  | plus => cases h2; rfl
  | lt => cases h2; rfl
  | cond _ _ _ _ ihs _ =>
    cases h2 with
    | cond _ hs _ => exact ihs hs

end TypedExpr
